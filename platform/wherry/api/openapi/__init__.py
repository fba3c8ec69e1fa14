"""The API described in OpenAPI 3.1, from the table of its routes: what each path takes and answers.

`notation` is how schemas are written here, `objects` the nouns, `operations` what each route takes and answers;
`people`, `pipelines` and `dynos` have both of their part; `document` is the whole. Does not live here: what answers.
"""

from wherry.api.openapi.document import document

__all__ = ["document"]
