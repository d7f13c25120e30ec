"""Registry files into the registry: read, check, plan, apply.

`reading` turns bytes into tables, `layout` says which columns each kind of table has, `values` reads one
cell, `geometry` one fence, `checking` a table's rows, `planning` compares them with what is registered
and gives each row its fate, `store` applies a plan in one transaction. All but `store` are pure.
"""
