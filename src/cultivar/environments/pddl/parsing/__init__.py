"""PDDL text to checked trees and back, and what is wrong with it in words."""
