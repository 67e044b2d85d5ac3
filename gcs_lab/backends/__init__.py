"""One package a system; floor 3. Backends know neither each other nor notebooks."""
