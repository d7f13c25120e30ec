"""The monthly report: what was known on a date, as a document, and the document as files.

`report_input` is all that a report rests on, `periods` its months and stages, `knowledge` what was known at a
time, `judging` the runs and their verdicts, `nowcasting` what is still to be reported. `sections` builds the
parts of a `document` from them, one function a part; `as_json`, `as_html`, `as_xlsx` and `as_pdf` write it;
`making` does all of it. Everything here is pure: the same input gives the same bytes.
"""
