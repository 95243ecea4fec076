"""What products tell Partnerdeck, through connectors outside the suite: computers, and what was deployed to them."""
