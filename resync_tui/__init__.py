"""Push a school district's records to the state again, with every record accounted for."""
