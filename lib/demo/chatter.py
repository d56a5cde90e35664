"""What the demo's narrators say around an action, and when they say nothing of any (thesis 2.1.2).

Talk that has to do with nothing in the picture is one of the faults of HowTo100M's captions (Miech et al., ICCV 2019).
"""

NOUNS = {  # where there is more than one word for a thing
    "tomato": ("tomato", "tomato", "ripe tomato", "big red tomato"),
    "cheese": ("cheese", "cheese", "block of cheese", "feta cheese"),
    "lettuce": ("lettuce", "lettuce", "head of lettuce", "crisp lettuce"),
    "cucumber": ("cucumber", "cucumber", "long green cucumber", "fresh cucumber"),
    "apple": ("apple", "apple", "red apple"),
    "potato": ("potato", "potato", "large potato"),
    "butter": ("butter", "butter", "stick of butter", "cold butter"),
    "bread": ("bread", "bread", "loaf", "bread dough"),
    "spinach": ("spinach", "spinach", "baby spinach", "bunch of spinach"),
    "carrot": ("carrot", "carrot", "orange carrot"),
    "aubergine": ("aubergine", "aubergine", "eggplant"),
    "leek": ("leek", "leek", "fresh leek"),
    "oil": ("oil", "oil", "olive oil"),
    "vinegar": ("vinegar", "vinegar", "white vinegar", "cider vinegar"),
    "milk": ("milk", "milk", "whole milk"),
    "juice": ("juice", "orange juice", "fruit juice"),
    "wine": ("wine", "red wine"),
    "salt": ("salt", "salt", "sea salt", "table salt"),
    "pepper": ("pepper", "pepper", "black pepper"),
    "sugar": ("sugar", "sugar", "fine sugar"),
    "cinnamon": ("cinnamon", "cinnamon", "ground cinnamon"),
    "herbs": ("herbs", "dried herbs", "green herbs"),
}
ARTICLES = ("the", "the", "this", "that", "my", "our", "your")
ARTICLES_OF_LOOSE = ("", "", "the", "this", "our")  # liquids and spices: "a pinch of salt", "a pinch of the salt"

OPENINGS = ("", "", "", "so", "and", "okay", "okay so", "alright", "now", "then", "and then", "so next", "right")
LEADS = (  # before the first form: "you want to slice"; before the second: "i am slicing"
    (
        "i", "we", "you", "you just", "you can", "i just", "let's", "let me", "go ahead and", "i'm going to",
        "we're gonna", "you want to", "we need to", "what i do is", "all you do is", "don't be shy just", "",
    ),
    (
        "i am", "i'm", "we are", "we're", "i'm just", "just", "keep", "here i'm", "you can see me", "i like",
        "right now i'm", "you see how i'm", "what i'm doing is", "",
    ),
)  # fmt: skip
LATER = (
    ("in a minute we'll", "after this you", "later on we are going to", "very soon we will", "once that's done we"),
    ("next up is", "soon we'll be", "we'll be", "up next we are", "after that comes"),
)
BEFORE = (
    ("you saw me", "earlier we had to", "i told you to", "remember you had to"),
    ("we were just", "after", "now that we're finished", "i've been", "so far we've been"),
)
TAILS = (
    "like so", "as you can see", "nice and easy", "there we go", "take your time", "just like that", "carefully",
    "it smells so good", "that looks really good", "the way my mum does", "here", "for this recipe", "right there",
    "a little bit at a time", "it doesn't have to be perfect", "and that's it", "until you're happy with it",
)  # fmt: skip

HELLO = (
    "hey guys welcome back to my kitchen",
    "hi everyone it's me again",
    "hello and welcome to another video",
    "what's up everybody today i have a great recipe for you",
    "if you are new here hit the bell",
    "this is one of my favourite recipes of all time",
    "my name is anna and i cook something new every week",
    "good morning friends i hope you're all doing well",
)
ASIDES = (
    "you can find everything in the description below",
    "let me know in the comments what you think",
    "my kids absolutely love this",
    "i got this from my grandmother many years ago",
    "you don't need anything fancy for this",
    "it's really cheap and really healthy too",
    "i've been doing this for years now",
    "sorry about the noise that's my dog",
    "i'm so hungry right now",
    "we had this last sunday and there was nothing left",
    "just do it the way you see it here",
    "watch how i do this",
    "you guys asked for this one a lot",
    "i'm not a professional but this works for me",
    "if you don't have that at home just leave it out",
    "let me move the camera a bit so you can see",
    "this is why i love summer",
    "and it only takes about ten minutes",
    "oh wow look at that",
    "my husband came home early today",
)
GOODBYE = (
    "don't forget to subscribe to the channel",
    "thank you so much for watching",
    "give this video a thumbs up if you liked it",
    "see you in the next one bye",
    "follow me on instagram for more",
    "i hope you enjoy it as much as we do",
    "share this with a friend who likes to cook",
    "and i'll see you next week take care",
)
