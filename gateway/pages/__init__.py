"""The pages: one page, one file, five beats (who, form, validate, do, redirect). They work without JavaScript."""
