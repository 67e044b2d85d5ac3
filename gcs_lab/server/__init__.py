"""The Jupyter Server extension: clusters for pages that have no kernel."""
