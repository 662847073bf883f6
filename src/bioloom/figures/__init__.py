"""Every plot and logo, in one style: plain arrays in, a matplotlib Figure out.

Each figure has axis labels with units and carries its description in words (`style.alt_text`);
`style.svg` gives it as text for a page, `style.save` writes it to a file.
"""
