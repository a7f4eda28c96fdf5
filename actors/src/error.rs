//! What can go wrong with what is asked of the house, in the house's words.
