"""The catalogue file: what operators write down, and how it becomes offers, serial numbers and policies."""
