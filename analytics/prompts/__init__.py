"""What drivers did after a prompt, and after alerts that were held out."""
