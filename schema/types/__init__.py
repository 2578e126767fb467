"""The GraphQL types, one file per noun."""
