"""Whatever finds faces and plates on a picture. The only room that knows a network runtime."""
