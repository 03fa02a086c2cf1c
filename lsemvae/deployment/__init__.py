"""Make one model of a finished study: lock it, apply it with torch, export it as ONNX."""
