"""Tables of the reporting service, one file per noun."""
