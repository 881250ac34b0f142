"""Other people's models: where they are listed, how they are fetched, what their outputs mean."""
