"""Every byte on disk that is not a picture or a sound."""
