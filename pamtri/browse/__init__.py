"""A page that shows a data set in the web browser: filters, labels over the images, every factor.

The folder is made of static files and opens without a server. A page opened from disk may load
scripts, styles and images but read no other file, so data comes as scripts too: ``data.js`` holds
what is filtered by and drawn, ``details/`` the whole records, loaded when an image is looked at.
"""

from pamtri.browse.page import BrowsePage, write_page

__all__ = ["BrowsePage", "write_page"]
