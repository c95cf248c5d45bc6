"""Pure: objects to rows and text; columns are data. Never prints."""
