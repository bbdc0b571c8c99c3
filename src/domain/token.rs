//! Tokens in links: made and read with a key, bound to a purpose and a subscriber. Pure: the key is an argument.
