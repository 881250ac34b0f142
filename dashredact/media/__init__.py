"""Every child process and every codec."""
