"""What telematics suggests: episodes that may have been an accident.

A person says what each was; none counts by itself. `rule` is pure, `store` is not.
"""
