"""Objects as the API server keeps them: kinds, versions, validation, patches, deletion, rights.

Never: HTTP (that is `serving`), processes (`node`), or what Ray's kinds mean (`operator`).
"""
