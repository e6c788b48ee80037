"""Session managers that lose nothing, with the constructors of the SDK's own."""
