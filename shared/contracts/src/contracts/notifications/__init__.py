"""What notifications tells: what was sent to whom, and what was not."""
