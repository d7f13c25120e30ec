"""What the API takes and answers, as types: they check requests and make the OpenAPI document."""
