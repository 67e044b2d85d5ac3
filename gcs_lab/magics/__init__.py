"""``%gcs`` and ``%%gcs``; floor 7."""
