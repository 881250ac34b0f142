"""Other people's models: known by their form, fed as that form wants it, answering as our own detector does."""
