"""What the API says of itself: OpenAPI v3 and v2 of the served types."""
