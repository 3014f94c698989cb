"""What happens next: each work package's way through its lanes, retries, journal, recovery, finish."""
