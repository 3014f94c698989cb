"""What a text says about itself."""
