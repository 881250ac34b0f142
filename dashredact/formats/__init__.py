"""Files of other people and other tools, read strictly and written exactly."""
