"""realart: tell art made by people from art made by generators, with numbers that hold."""
