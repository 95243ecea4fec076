"""The catalogue file: what operators write down, and how it becomes products, offers, serial numbers and policies."""
