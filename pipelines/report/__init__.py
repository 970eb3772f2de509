"""`leadhouse report`: one HTML page of pictures, asked of the views for analysts, to open offline or mail."""
