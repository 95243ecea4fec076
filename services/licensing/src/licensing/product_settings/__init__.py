"""Product settings: what customers' products are set to, by templates and policies, and whose appliances require other firmware."""
