"""What people say to each other about a request: questions, narrower proposals, comments with mentions."""
