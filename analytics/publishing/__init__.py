"""How a report is published: signed, in a chain that nothing can be taken from; as an extract for anybody.

`keys` signs, `blocks` finds the byte that was changed, `chain` links one publication to the one before it,
`publication` puts a directory together and checks it, `deliveries` says who has it; `disclosure` decides what
of a table can be told without telling a small number, `extract` makes the public tables. All but `store` are
pure.
"""
