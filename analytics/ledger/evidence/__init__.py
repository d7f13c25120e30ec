"""What a vehicle recorded around an accident: figures and a drawing of them. All but `store` are pure."""
