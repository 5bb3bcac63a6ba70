"""nginx in a pod, as its configuration has it: parsed by crossplane, refused as nginx refuses."""
