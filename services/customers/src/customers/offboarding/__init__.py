"""Off-boarding: the ways in which a customer goes (C-2). One file per verb."""
