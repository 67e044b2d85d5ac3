"""What the lessons in ``notebooks/`` ask for: checks that look at what a learner really did.

``from gcs_lab.lessons import check``, then ``check.first_job()`` and its like: see :mod:`gcs_lab.lessons.check`.
"""
