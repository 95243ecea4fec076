"""What every test of the tree may ask for."""

pytest_plugins = ["chassis_testing.stack"]
