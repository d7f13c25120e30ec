"""How much was driven, measured from fixes: the denominator of every rate. Pure; judges nothing."""
