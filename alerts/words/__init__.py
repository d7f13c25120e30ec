"""What every other room speaks: rules and what they say, right turns, which limit ruled."""
