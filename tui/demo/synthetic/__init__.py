"""A large cluster without the machinery: objects as a real one has them, and their churn."""
