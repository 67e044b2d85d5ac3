"""What a person sees in a notebook: widgets; floor 7."""
