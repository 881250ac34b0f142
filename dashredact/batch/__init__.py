"""Many videos: which are done, what each becomes, and runs over an inbox that nobody watches."""
