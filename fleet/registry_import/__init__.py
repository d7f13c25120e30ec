"""Registry files into the registry: read, check, plan, apply.

`reading` turns bytes into tables (`workbook` and `geojson` beside it; `headers` finds where one begins),
`layout` says which columns each kind has, `recognising` which kind a table is and what a header names,
`values` reads one cell, `geometry` one fence, `checking` a table's rows, `naming` finds or makes codes for
names, `joining` puts together what rows say of one thing, `understanding` does all that for a whole file.
`planning` compares with what is registered and gives each row its fate, `store` applies a plan in one
transaction, `template` writes a workbook to fill in. All but `store` are pure.
"""
