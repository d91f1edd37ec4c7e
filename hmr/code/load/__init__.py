"""From code to modules: executed into fresh namespaces, with imports of their own and linked Params."""
