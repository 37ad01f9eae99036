"""What `doctor` looks at: each module has the checks of one thing, `examination` all of them."""
