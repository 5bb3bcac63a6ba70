"""CustomResourceDefinitions and the objects they define."""
