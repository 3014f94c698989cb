"""What a template may take and use: bounds on its shape, its time and its memory."""
