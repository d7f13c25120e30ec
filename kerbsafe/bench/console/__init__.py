"""What `kerbsafe bench console` is made of: the stage, the vehicles that drive, the browser that watches."""
