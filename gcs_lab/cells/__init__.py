"""A notebook cell as a cluster job; floor 5."""
